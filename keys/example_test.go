package keys_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"idpbridge/keys"
)

// A ring creates its first keys, signs, and returns its public key in the format of
// LiveEngage's console.
func Example() {
	ring, err := keys.Open(context.Background(), keys.Config{
		Store:      &memory{},
		Secret:     keys.NewSecret([]byte(strings.Repeat("s", 32))), // keys.LoadSecret reads or creates one
		Algorithms: []string{"RS256"},
		Now:        time.Now,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := ring.Sign(context.Background(), "RS256", keys.TypeJWT, []byte(`{"sub":"1"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	pasted, err := keys.ParsePublicKey(ring.ActiveKey("RS256").Base64())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.Count(token, "."), "dots;", pasted.Algorithm, pasted.ID == ring.ActiveKey("RS256").ID)
	// Output: 2 dots; RS256 true
}
