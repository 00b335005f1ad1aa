// Package secret holds strings that must not be printed.
package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// redacted is printed in place of a secret.
const redacted = "[redacted]"

// Value is a secret string, such as a password. It prints as [redacted] with fmt,
// slog, JSON and YAML, also as a field of another value. Reveal returns the
// string. The zero value is not set.
type Value struct {
	// A pointer, because fmt prints unexported fields without calling methods: in
	// such a field it prints an address.
	plain *string
}

// New returns a Value for a string. An empty string returns the zero value.
func New(plain string) Value {
	if plain == "" {
		return Value{}
	}
	return Value{&plain}
}

// Reveal returns the secret string, or "" if it isn't set.
func (v Value) Reveal() string {
	if v.plain == nil {
		return ""
	}
	return *v.plain
}

// IsSet reports whether there is a secret.
func (v Value) IsSet() bool { return v.plain != nil }

// IsZero reports whether there is no secret, for the JSON option omitzero.
func (v Value) IsZero() bool { return v.plain == nil }

// Equal reports whether the secret is set and is the given string. It compares in
// constant time, whatever the lengths.
func (v Value) Equal(plain string) bool {
	want, got := sha256.Sum256([]byte(v.Reveal())), sha256.Sum256([]byte(plain))
	return v.IsSet() && subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// Format prints [redacted], whatever the verb.
func (Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String returns [redacted].
func (Value) String() string { return redacted }

// LogValue keeps the secret out of logs.
func (Value) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps the secret out of JSON and YAML.
func (Value) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText sets the secret, so that it can be read from JSON.
func (v *Value) UnmarshalText(plain []byte) error {
	*v = New(string(plain))
	return nil
}
