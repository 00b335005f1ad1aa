package main

import (
	"fmt"

	"idpbridge/internal/password"
)

type peopleHashCommand struct{}

// Help is printed above the flags.
func (peopleHashCommand) Help() string {
	return `For example:

    printf %s 'the password' | idp people hash

Put the hash into the people file as password_hash.`
}

// Run prints the argon2id hash of the first line of standard input.
func (peopleHashCommand) Run(p *process) error {
	plain, err := readFirstLine(p.stdin)
	if err != nil {
		return fmt.Errorf("read password: %w", err)
	}
	if plain == "" {
		return usageErrorf("people hash: pass the password on standard input")
	}
	hash, err := password.Hash(plain)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, hash)
	return err
}
