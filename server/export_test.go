package server

// HintListen is hintListen, for errors that a test cannot cause.
func HintListen(err error) string { return hintListen(err) }
