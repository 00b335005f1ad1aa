package main

import (
	"context"
	"fmt"
	"os"

	"idpbridge/internal/password"
)

type peopleHashCommand struct{}

// Help is printed above the flags.
func (peopleHashCommand) Help() string {
	return `At a terminal, it asks for the password and does not show it. In a script:

    printf %s 'the password' | idp people hash

Put the hash into the people file as password_hash.`
}

// Run prints the argon2id hash of the first line of standard input.
func (peopleHashCommand) Run(ctx context.Context, p *process) error {
	var plain string
	var err error
	if isTerminal(p.stdin) {
		plain, err = promptPassword(ctx, p.stdin.(*os.File), p.stderr)
	} else {
		plain, err = readFirstLine(p.stdin)
	}
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
