package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"idpbridge/upstream"
)

const findAccountSQL = "SELECT username, password_hash, person FROM person WHERE username = $1"

// AccountByUsername implements upstream.People.
func (s *Store) AccountByUsername(ctx context.Context, username string) (upstream.Account, error) {
	a, err := scanAccount(s.stmts.account.QueryRowContext(ctx, username))
	if errors.Is(err, sql.ErrNoRows) {
		return upstream.Account{}, upstream.ErrNotFound
	}
	return a, wrapError("find account", err)
}

// Accounts implements upstream.People.
func (s *Store) Accounts(ctx context.Context) ([]upstream.Account, error) {
	out, err := scanAccounts(s.read.QueryContext(ctx, listAccountsSQL))
	return out, wrapError("list accounts", err)
}

const listAccountsSQL = "SELECT username, password_hash, person FROM person ORDER BY username"

func scanAccounts(rows *sql.Rows, err error) ([]upstream.Account, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []upstream.Account
	for rows.Next() {
		a, err := scanAccount(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// ReplacePeople implements upstream.People. It writes only what differs, so a
// start with an unchanged people file writes nothing. Two accounts with one
// subject or one username are an error, and nothing changes.
func (s *Store) ReplacePeople(ctx context.Context, want []upstream.Account, at time.Time) error {
	rows := make(map[string]personRow, len(want))
	for _, a := range want {
		person, err := json.Marshal(a.Person)
		if err != nil {
			return wrapError("replace people", err)
		}
		if _, twice := rows[a.Person.Subject]; twice {
			return fmt.Errorf("replace people: subject %q is there twice", a.Person.Subject)
		}
		rows[a.Person.Subject] = personRow{a.Person.Subject, a.Username, a.PasswordHash, string(person)}
	}
	return wrapError("replace people", s.inDurableTransaction(ctx, func(exec execFunc, tx *sql.Tx) error {
		if !s.sqlite {
			// Two processes that start at once take turns; readers do not wait.
			if _, err := exec("LOCK TABLE person IN EXCLUSIVE MODE"); err != nil {
				return err
			}
		}
		have, err := scanPersonRows(tx.QueryContext(ctx, "SELECT subject, username, password_hash, person FROM person"))
		if err != nil {
			return err
		}
		return writePeopleChanges(exec, have, rows, at)
	}))
}

// personRow is a row of the table as it stands there.
type personRow struct{ subject, username, passwordHash, person string }

func scanPersonRows(rows *sql.Rows, err error) (map[string]personRow, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := map[string]personRow{}
	for rows.Next() {
		var r personRow
		if err := rows.Scan(&r.subject, &r.username, &r.passwordHash, &r.person); err != nil {
			return nil, err
		}
		out[r.subject] = r
	}
	return out, rows.Err()
}

// writePeopleChanges writes what differs, in the order of subjects.
func writePeopleChanges(exec execFunc, have, want map[string]personRow, at time.Time) error {
	for _, subject := range slices.Sorted(maps.Keys(have)) {
		old := have[subject]
		now, kept := want[subject]
		if !kept {
			if err := endPersonAccess(exec, subject, at, true); err != nil {
				return err
			}
			continue
		}
		if old.passwordHash != now.passwordHash {
			if err := endPersonAccess(exec, subject, at, false); err != nil {
				return err
			}
		}
		if old.username != now.username {
			// Names may go round in a circle, so each is let go before any is taken.
			// No username contains a line break.
			if _, err := exec("UPDATE person SET username = $2 WHERE subject = $1", subject, "\n"+subject); err != nil {
				return err
			}
		}
	}
	for _, subject := range slices.Sorted(maps.Keys(want)) {
		now := want[subject]
		if have[subject] == now {
			continue
		}
		if _, err := exec(`INSERT INTO person (subject, username, password_hash, person) VALUES ($1, $2, $3, $4)
			ON CONFLICT (subject) DO UPDATE SET username = excluded.username, password_hash = excluded.password_hash, person = excluded.person`,
			now.subject, now.username, now.passwordHash, now.person); err != nil {
			return err
		}
	}
	return nil
}

// endPersonAccess ends a person's sessions and sign-ins, queues the logouts, and
// with row removes the person.
func endPersonAccess(exec execFunc, subject string, at time.Time, row bool) error {
	if _, err := exec(queuePersonLogoutsSQL, subject, toMillis(at)); err != nil {
		return err
	}
	statements := []string{
		"UPDATE signin SET state = 3 WHERE subject = $1 AND state <> 3",
		"DELETE FROM session_client WHERE session_id IN (SELECT id FROM session WHERE subject = $1)",
		"DELETE FROM session WHERE subject = $1",
	}
	if row {
		statements = append(statements, "DELETE FROM person WHERE subject = $1")
	}
	return execAll(exec, []any{subject}, statements...)
}

// scanAccount reads one account.
func scanAccount(row scanner) (upstream.Account, error) {
	var a upstream.Account
	var person []byte
	if err := row.Scan(&a.Username, &a.PasswordHash, &person); err != nil {
		return upstream.Account{}, err
	}
	return a, json.Unmarshal(person, &a.Person)
}
