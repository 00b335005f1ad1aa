package sim

import "net/http"

func (s *Simulator) registerLog(mux *http.ServeMux) { mux.HandleFunc("GET /log", s.showLog) }

// showLog shows what was said between the simulator and the identity provider.
func (s *Simulator) showLog(w http.ResponseWriter, r *http.Request) {
	s.renderPage(w, r, page{name: "log", data: s.idp.newest()})
}
