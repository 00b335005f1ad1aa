package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"idpbridge/upstream"
)

// AccountByUsername implements upstream.People.
func (s *Store) AccountByUsername(ctx context.Context, username string) (upstream.Account, error) {
	a, err := scanAccount(s.read.QueryRowContext(ctx, s.dialect("SELECT username, password_hash, person FROM person WHERE username = $1"), username))
	if errors.Is(err, sql.ErrNoRows) {
		return upstream.Account{}, upstream.ErrNotFound
	}
	return a, wrap("find account", err)
}

// Accounts implements upstream.People.
func (s *Store) Accounts(ctx context.Context) ([]upstream.Account, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT username, password_hash, person FROM person ORDER BY username")
	if err != nil {
		return nil, wrap("list accounts", err)
	}
	defer func() { _ = rows.Close() }()
	var out []upstream.Account
	for rows.Next() {
		a, err := scanAccount(rows)
		if err != nil {
			return nil, wrap("list accounts", err)
		}
		out = append(out, a)
	}
	return out, wrap("list accounts", rows.Err())
}

// ReplacePeople implements upstream.People. It writes only what differs, so a
// start with an unchanged people file writes nothing.
func (s *Store) ReplacePeople(ctx context.Context, accounts []upstream.Account) error {
	have, err := s.Accounts(ctx)
	if err != nil {
		return err
	}
	old := make(map[string]upstream.Account, len(have))
	for _, a := range have {
		old[a.Person.Subject] = a
	}
	wrote := false
	err = s.tx(ctx, func(exec execFunc, _ *sql.Tx) error {
		kept := make(map[string]bool, len(accounts))
		for _, a := range accounts {
			kept[a.Person.Subject] = true
		}
		for subject := range old {
			if kept[subject] {
				continue
			}
			wrote = true
			if err := removePerson(exec, subject, true); err != nil {
				return err
			}
		}
		for _, a := range accounts {
			before, known := old[a.Person.Subject]
			person, err := json.Marshal(a.Person)
			if err != nil {
				return err
			}
			was, err := json.Marshal(before.Person)
			if err != nil {
				return err
			}
			if known && string(was) == string(person) && before.Username == a.Username && before.PasswordHash == a.PasswordHash {
				continue
			}
			wrote = true
			if known && before.PasswordHash != a.PasswordHash {
				if err := removePerson(exec, a.Person.Subject, false); err != nil {
					return err
				}
			}
			if _, err := exec(`INSERT INTO person (subject, username, password_hash, person) VALUES ($1, $2, $3, $4)
				ON CONFLICT (subject) DO UPDATE SET username = excluded.username, password_hash = excluded.password_hash, person = excluded.person`,
				a.Person.Subject, a.Username, a.PasswordHash, string(person)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && wrote {
		err = s.flush(ctx)
	}
	return wrap("replace people", err)
}

// removePerson ends a person's sessions and sign-ins, and with row the person.
func removePerson(exec execFunc, subject string, row bool) error {
	statements := []string{
		"UPDATE signin SET state = 3 WHERE subject = $1 AND state <> 3",
		"DELETE FROM session WHERE subject = $1",
	}
	if row {
		statements = append(statements, "DELETE FROM person WHERE subject = $1")
	}
	for _, statement := range statements {
		if _, err := exec(statement, subject); err != nil {
			return err
		}
	}
	return nil
}

func scanAccount(row scanner) (upstream.Account, error) {
	var a upstream.Account
	var person []byte
	if err := row.Scan(&a.Username, &a.PasswordHash, &person); err != nil {
		return upstream.Account{}, err
	}
	return a, json.Unmarshal(person, &a.Person)
}
