package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"idpbridge/config"
)

type initCommand struct {
	File string `arg:"" optional:"" default:"idp.yaml" help:"File to create; it must not exist." type:"path"`
}

// Run writes the configuration template to a new file, and the people file that it names
// unless there is one.
func (c initCommand) Run(p *process) error {
	err := createFile(c.File, config.Template())
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s already exists; choose another file name or move the file", c.File)
	}
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	people := filepath.Join(filepath.Dir(c.File), "people.yaml")
	wrote := c.File + " and " + people + ". Edit them"
	if err := createFile(people, config.PeopleTemplate()); errors.Is(err, os.ErrExist) {
		wrote = c.File + "; " + people + " already exists. Edit them"
	} else if err != nil {
		return fmt.Errorf("write people file: %w", err)
	}
	_, err = fmt.Fprintf(p.stdout, "Wrote %[2]s, then run:\n\n"+
		"  idp config check %[1]s\n  idp serve --config %[1]s\n", c.File, wrote)
	return err
}

// createFile writes a new file that only this user can read.
func createFile(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}
