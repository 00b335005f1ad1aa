package sim

// NewAPIKey creates an API key.
func (s *Simulator) NewAPIKey(application string) apiKey { return s.newAPIKey(application) }
