package selftest

func plans() []Check { return nil }
