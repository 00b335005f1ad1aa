package main

import (
	"context"
	"os"

	"idpbridge/config"
	"idpbridge/dev"
	"idpbridge/oidc"
	"idpbridge/server"
)

// installationFlags name an installation: that of a configuration file, or that of
// idp dev.
type installationFlags struct {
	Config string `help:"Configuration file [idp.yaml, or the data of idp dev]." type:"path" placeholder:"FILE"`
	Data   string `help:"Data folder of idp dev, if it was started with --data." type:"path"`
}

// installation is the settings and the data of a server that may be running. Close it.
type installation struct {
	*server.Data

	settings config.Config
	clients  []oidc.Client
}

// open opens an installation. It creates nothing. The issuer is that of idp dev; a
// configuration file has its own.
func (f installationFlags) open(ctx context.Context, p *process, issuer string) (*installation, error) {
	in := &installation{}
	var err error
	if f.Config == "" && f.Data == "" {
		f.Config = findConfig()
	}
	if f.Config == "" {
		in.clients = dev.Clients()
		in.settings, err = dev.Settings(f.Data)
		in.settings.Issuer = issuer
	} else {
		in.settings, in.clients, err = loadConfig(f.Config, p.getenv)
	}
	if err != nil {
		return nil, err
	}
	in.Data, err = server.OpenData(ctx, in.settings, in.clients, f.Config == "", p.now)
	return in, err
}

// findConfig returns the configuration file in the working directory, or "".
func findConfig() string {
	const file = "idp.yaml"
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	return file
}

// loadConfig reads a configuration file.
func loadConfig(file string, getenv func(string) string) (config.Config, []oidc.Client, error) {
	settings, err := config.Load(file, getenv)
	if err != nil {
		return config.Config{}, nil, err
	}
	clients, err := settings.OIDCClients()
	return *settings, clients, err
}
