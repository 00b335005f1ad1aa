package main

import (
	"fmt"

	"idpbridge/config"
)

type configCheckCommand struct {
	File string `arg:"" optional:"" default:"idp.yaml" help:"Configuration file." type:"path"`
}

// Run loads the configuration and its people as serve does, and starts nothing.
func (c configCheckCommand) Run(p *process) error {
	cfg, err := config.Load(c.File, p.getenv)
	if err != nil {
		return err
	}
	people, err := cfg.ReadPeople()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s is valid: issuer %s, clients: %d, people: %d.\n",
		c.File, cfg.Issuer, len(cfg.Clients), len(people))
	return err
}
