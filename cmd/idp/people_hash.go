package main

import (
	"fmt"
	"io"
	"strings"

	"idpbridge/upstream"
)

type hashCommand struct{}

// Run prints the argon2id hash of the first line of standard input.
func (hashCommand) Run(p *process) error {
	raw, err := io.ReadAll(io.LimitReader(p.stdin, 4096))
	if err != nil {
		return fmt.Errorf("read password: %w", err)
	}
	password, _, _ := strings.Cut(string(raw), "\n")
	password = strings.TrimSuffix(password, "\r")
	if password == "" {
		return &usageError{"people hash: give the password on standard input"}
	}
	hash, err := upstream.HashPassword(password)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, hash)
	return err
}
