package sim

import "net/http"

func (s *Simulator) registerHome(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		s.sorry(w, r, http.StatusNotFound, "There is nothing at this address.")
	})
}

// home says what runs and what to click, in order.
func (s *Simulator) home(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, view{name: "home", page: struct {
		Address, Host, Account, Issuer, Window string
		Domains                                string
	}{
		s.Address, s.origin.Host, s.Account, s.Issuer, s.WindowURI(),
		"/api/account/" + s.Account + "/service/baseURI.json?version=1.0",
	}})
}
