package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"idpbridge/config"
	"idpbridge/keys"
	"idpbridge/oidc"
	"idpbridge/store"
)

// Data is the database and the signing keys of an installation.
type Data struct {
	Store *store.Store
	Keys  *keys.Ring
}

// OpenData opens the data of an installation for a command; a server may be running.
// Without a database it returns an error. It leaves the keys of further algorithms to
// the server, so that a command creates none.
func OpenData(
	ctx context.Context, settings config.Config, clients []oidc.Client, development bool, now func() time.Time,
) (*Data, error) {
	if _, err := os.Stat(databaseFile(settings)); !settings.Store.IsSet() && err != nil {
		return nil, fmt.Errorf("there are no keys in %s yet; start idp dev or idp serve once", settings.Data)
	}
	secret, err := instanceSecret(settings)
	if err != nil {
		return nil, err
	}
	db, err := openStore(ctx, settings)
	if err != nil {
		return nil, err
	}
	d := &Data{Store: db}
	owner, err := db.Owner(ctx)
	if err == nil {
		err = checkOwner(owner, development, settings.Data)
	}
	if err == nil {
		d.Keys, err = openKeys(ctx, db, secret, []string{"RS256"}, clients, settings, now)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return d, nil
}

// Close closes the database.
func (d *Data) Close() error { return d.Store.Close() }

// createData opens the data folder and the database, making what is missing.
func createData(ctx context.Context, settings config.Config, development bool) (*store.Store, keys.Secret, error) {
	if err := os.MkdirAll(settings.Data, 0o700); err != nil {
		return nil, keys.Secret{}, fmt.Errorf("data folder: %w", err)
	}
	secret, err := instanceSecret(settings)
	if err != nil {
		return nil, keys.Secret{}, err
	}
	db, err := openStore(ctx, settings)
	if err != nil {
		return nil, keys.Secret{}, err
	}
	owner, err := db.ClaimOwnership(ctx, ownerName(development))
	if err == nil {
		err = checkOwner(owner, development, settings.Data)
	}
	if err != nil {
		return nil, keys.Secret{}, errors.Join(err, db.Close())
	}
	return db, secret, nil
}

func databaseFile(settings config.Config) string { return filepath.Join(settings.Data, "idp.db") }

func openStore(ctx context.Context, settings config.Config) (*store.Store, error) {
	return store.Open(ctx, store.Config{URL: settings.Store.Reveal(), Path: databaseFile(settings)})
}

// openKeys opens the keys, with an active one for each algorithm.
func openKeys(
	ctx context.Context, db *store.Store, secret keys.Secret, algorithms []string, clients []oidc.Client,
	settings config.Config, now func() time.Time,
) (*keys.Ring, error) {
	return keys.Open(ctx, keys.Config{
		Store: db, Secret: secret, Algorithms: algorithms, Now: now, Pinned: pinnedKeysOf(clients),
		TokenLifetime: max(settings.Lifetimes.IDToken, oidc.LogoutTokenLifetime),
	})
}

// instanceSecret is the secret that encrypts keys at rest and authenticates codes
// and tokens: from the settings, or a file in the data folder that is made once.
func instanceSecret(settings config.Config) (keys.Secret, error) {
	if settings.Secret.IsSet() {
		return keys.ParseSecret(settings.Secret.Reveal())
	}
	return keys.LoadSecret(filepath.Join(settings.Data, "secret"))
}

// ownerName is who claims a database.
func ownerName(development bool) string {
	if development {
		return "dev"
	}
	return "serve"
}

// checkOwner keeps real data and development apart: idp dev would replace the
// people, and its clients have public secrets. An unclaimed database is open to both.
func checkOwner(owner string, development bool, data string) error {
	if owner == "" || owner == ownerName(development) {
		return nil
	}
	if development {
		return fmt.Errorf("the database in %s was created by idp serve; "+
			"name its configuration with --config, or another folder with --data", data)
	}
	return fmt.Errorf("the database in %s was created by idp dev, with keys that are for tests only; "+
		"name another folder as data", data)
}

// algorithmsOf lists the algorithms that sign the clients' ID tokens. RS256 is always
// among them: LiveEngage accepts nothing else.
func algorithmsOf(clients []oidc.Client) []string {
	out := []string{"RS256"}
	for _, c := range clients {
		if c.Algorithm != "" && !slices.Contains(out, c.Algorithm) {
			out = append(out, c.Algorithm)
		}
	}
	return out
}

// pinnedKeysOf lists the ids of the keys that clients pin.
func pinnedKeysOf(clients []oidc.Client) []string {
	var out []string
	for _, c := range clients {
		if c.PinnedKey != "" && !slices.Contains(out, c.PinnedKey) {
			out = append(out, c.PinnedKey)
		}
	}
	return out
}
