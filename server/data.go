package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"idpbridge/config"
	"idpbridge/internal/filemode"
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
	if err := checkSecretExists(ctx, settings); err != nil {
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
	var secret keys.Secret
	if err == nil {
		secret, err = instanceSecret(settings, true)
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
	if err := checkFolder(settings.Data, development); err != nil {
		return nil, keys.Secret{}, err
	}
	if err := checkSecretExists(ctx, settings); err != nil {
		return nil, keys.Secret{}, err
	}
	if !settings.Store.IsSet() { // the database is in the folder, and the secret comes first
		if _, err := createSecret(settings, false); err != nil {
			return nil, keys.Secret{}, err
		}
	}
	db, err := openStore(ctx, settings)
	if err != nil {
		return nil, keys.Secret{}, err
	}
	owner, err := db.Owner(ctx)
	var secret keys.Secret
	if err == nil {
		secret, err = createSecret(settings, owner != "")
	}
	if err == nil {
		owner, err = db.ClaimOwnership(ctx, ownerName(development))
	}
	if err == nil {
		err = checkOwner(owner, development, settings.Data)
	}
	if err != nil {
		return nil, keys.Secret{}, errors.Join(err, db.Close())
	}
	return db, secret, nil
}

// createSecret returns the instance secret, with the data folder. If the database has an
// owner already, it creates neither.
func createSecret(settings config.Config, owned bool) (keys.Secret, error) {
	if !owned {
		if err := os.MkdirAll(settings.Data, 0o700); err != nil {
			return keys.Secret{}, fmt.Errorf("data folder: %w", err)
		}
	}
	return instanceSecret(settings, owned)
}

// checkFolder returns an error if other users can use the data folder of idp serve. It may
// be missing. An empty one, such as a new volume, is closed to other users.
func checkFolder(folder string, development bool) error {
	info, err := os.Stat(folder)
	if errors.Is(err, fs.ErrNotExist) || development {
		return nil
	}
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	refusal := filemode.CheckPrivate(folder, info)
	if refusal == nil {
		return nil
	}
	if content, err := os.ReadDir(folder); err == nil && len(content) == 0 &&
		os.Chmod(folder, 0o700) == nil { //nolint:gosec // only for us, as a folder must be
		if info, err = os.Stat(folder); err == nil {
			refusal = filemode.CheckPrivate(folder, info)
		}
	}
	if refusal != nil {
		return fmt.Errorf("data folder %s %w", folder, refusal)
	}
	return nil
}

// checkSecretExists returns an error if there is a database in the data folder without the
// secret that its keys are encrypted with.
func checkSecretExists(ctx context.Context, settings config.Config) error {
	if settings.Secret.IsSet() || settings.Store.IsSet() {
		return nil
	}
	if info, err := os.Stat(databaseFile(settings)); err != nil || info.Size() == 0 {
		return nil //nolint:nilerr // there is no database
	}
	if _, err := os.Stat(secretFile(settings)); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := store.CheckFile(ctx, databaseFile(settings)); err != nil {
		return err // it may not be a database at all
	}
	return secretMissingError(settings)
}

func secretMissingError(settings config.Config) error {
	return fmt.Errorf("the instance secret %s is missing, but the database has keys that are encrypted with it; "+
		"restore the file from a backup, or set secret", secretFile(settings))
}

func databaseFile(settings config.Config) string { return filepath.Join(settings.Data, "idp.db") }

func secretFile(settings config.Config) string { return filepath.Join(settings.Data, "secret") }

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
// and tokens: from the settings, or a file in the data folder that is made once. It is not
// made if the database has an owner, whose secret it could not be.
func instanceSecret(settings config.Config, owned bool) (keys.Secret, error) {
	if settings.Secret.IsSet() {
		return keys.ParseSecret(settings.Secret.Reveal())
	}
	if _, err := os.Stat(secretFile(settings)); owned && errors.Is(err, fs.ErrNotExist) {
		return keys.Secret{}, secretMissingError(settings)
	}
	return keys.LoadSecret(secretFile(settings))
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
