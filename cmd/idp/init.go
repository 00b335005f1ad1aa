package main

import (
	"errors"
	"fmt"
	"os"

	"idpbridge/config"
)

type initCommand struct {
	File string `arg:"" optional:"" default:"idp.yaml" help:"Where to write; never overwrites." type:"path"`
}

// Run writes the template, unless the file exists.
func (i initCommand) Run(p *process) error {
	f, err := os.OpenFile(i.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists already; name another file, or move it away", i.File)
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
	_, err = fmt.Fprintf(p.stdout, "Wrote %s. Fill it in, then:\n\n  idp config check %s\n  idp serve --config %s\n", i.File, i.File, i.File)
	return err
}
