package sim

import "crypto/rsa"

// SetSigningKey sets the key for LivePerson's own tokens. Generating one takes a while.
func (c *Config) SetSigningKey(key *rsa.PrivateKey) { c.signingKey = key }

// NewAPIKey creates an API key.
func (s *Simulator) NewAPIKey(application string) apiKey { return s.newAPIKey(application) }
