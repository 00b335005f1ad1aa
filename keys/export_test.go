package keys

import "crypto"

// SetGenerator makes a Ring generate its keys with the function.
func (c *Config) SetGenerator(generate func(algorithm string) (crypto.Signer, error)) {
	c.generate = generate
}
