package main

import (
	"errors"
	"fmt"
	"os"

	"idpbridge/config"
)

type initCommand struct {
	File string `arg:"" optional:"" default:"idp.yaml" help:"File to create; it must not exist." type:"path"`
}

// Run writes the configuration template to a new file.
func (c initCommand) Run(p *process) error {
	f, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s already exists; choose another file name or move the file", c.File)
	}
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	if _, err := f.Write(config.Template()); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "Wrote %[1]s. Edit it, then run:\n\n"+
		"  idp config check %[1]s\n  idp serve --config %[1]s\n", c.File)
	return err
}
