package sim

import "net/http"

func (s *Simulator) registerHome(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.showHome)
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		s.renderError(w, r, http.StatusNotFound, "Page not found.")
	})
}

// showHome shows the start page.
func (s *Simulator) showHome(w http.ResponseWriter, r *http.Request) {
	s.renderPage(w, r, page{name: "home", data: struct {
		Address, Host, Account, Issuer, Window string
		Domains                                string
	}{
		Address: s.Address,
		Host:    s.origin.Host,
		Account: s.Account,
		Issuer:  s.Issuer,
		Window:  s.WindowURI(),
		Domains: "/api/account/" + s.Account + "/service/baseURI.json?version=1.0",
	}})
}
