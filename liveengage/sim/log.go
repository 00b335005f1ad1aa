package sim

import "net/http"

func (s *Simulator) registerLog(mux *http.ServeMux) { mux.HandleFunc("GET /log", s.showLog) }

// showLog shows the exchanges with the identity provider.
func (s *Simulator) showLog(w http.ResponseWriter, r *http.Request) {
	s.renderPage(w, r, page{name: "log", data: s.idp.listExchanges()})
}
