package sim

import "net/http"

func (s *Simulator) registerHome(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.showHome)
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		s.renderError(w, r, http.StatusNotFound, "There is nothing at this address.")
	})
}

// showHome says what runs and what to click, in order.
func (s *Simulator) showHome(w http.ResponseWriter, r *http.Request) {
	s.renderPage(w, r, page{name: "home", data: struct {
		Address, Host, Account, Issuer, Window string
		Domains                                string
	}{
		s.Address, s.origin.Host, s.Account, s.Issuer, s.WindowURI(),
		"/api/account/" + s.Account + "/service/baseURI.json?version=1.0",
	}})
}
