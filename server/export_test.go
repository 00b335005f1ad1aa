package server

import "context"

// HintListen is hintListen, for errors that a test cannot cause.
func HintListen(err error) string { return hintListen(err) }

// ReloadKeys does what the server does every minute.
func (s *Server) ReloadKeys(ctx context.Context) { s.reloadKeys(ctx) }
