package main

import (
	"fmt"
	"io"
	"strings"

	"idpbridge/internal/password"
)

type peopleHashCommand struct{}

// Run prints the argon2id hash of the first line of standard input.
func (peopleHashCommand) Run(p *process) error {
	raw, err := io.ReadAll(io.LimitReader(p.stdin, 4096))
	if err != nil {
		return fmt.Errorf("read password: %w", err)
	}
	plain, _, _ := strings.Cut(string(raw), "\n")
	plain = strings.TrimSuffix(plain, "\r")
	if plain == "" {
		return &usageError{"people hash: give the password on standard input"}
	}
	hash, err := password.Hash(plain)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, hash)
	return err
}
