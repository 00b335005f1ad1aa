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
	if !isText(username) {
		return upstream.Account{}, upstream.ErrNotFound
	}
	a, err := scanAccount(s.stmts.findAccount.QueryRowContext(ctx, username))
	if errors.Is(err, sql.ErrNoRows) {
		return upstream.Account{}, upstream.ErrNotFound
	}
	return a, wrapError("find account", err)
}

func scanAccount(row scanner) (upstream.Account, error) {
	var a upstream.Account
	var person []byte
	if err := row.Scan(&a.Username, &a.PasswordHash, &person); err != nil {
		return upstream.Account{}, err
	}
	return a, json.Unmarshal(person, &a.Person)
}

// personRow is a row of table person.
type personRow struct{ subject, username, passwordHash, person string }

// ReplacePeople implements upstream.People. It writes only changes, so a start with an
// unchanged people file writes nothing. A duplicate subject or username is an error, and
// then nothing changes.
func (s *Store) ReplacePeople(ctx context.Context, accounts []upstream.Account, at time.Time) error {
	want, err := encodePeople(accounts)
	if err != nil {
		return wrapError("replace people", err)
	}
	return wrapError("replace people", s.inDurableTransaction(ctx, func(exec execFunc, tx *sql.Tx) error {
		if !s.sqlite {
			// Two processes that start at once take turns. Readers do not wait.
			if _, err := exec("LOCK TABLE person IN EXCLUSIVE MODE"); err != nil {
				return err
			}
		}
		have, err := queryPeople(ctx, tx)
		if err != nil {
			return err
		}
		return writePeopleChanges(exec, have, want, at)
	}))
}

// encodePeople returns the rows of the accounts by subject.
func encodePeople(accounts []upstream.Account) (map[string]personRow, error) {
	rows := make(map[string]personRow, len(accounts))
	for _, a := range accounts {
		person, err := json.Marshal(a.Person)
		if err != nil {
			return nil, err
		}
		if !isText(a.Person.Subject) || !isText(a.Username) || !isText(a.PasswordHash) {
			return nil, fmt.Errorf("subject %q, username or password hash has a NUL or is not UTF-8", a.Person.Subject)
		}
		if _, duplicate := rows[a.Person.Subject]; duplicate {
			return nil, fmt.Errorf("duplicate subject %q", a.Person.Subject)
		}
		rows[a.Person.Subject] = personRow{a.Person.Subject, a.Username, a.PasswordHash, string(person)}
	}
	return rows, nil
}

// queryPeople returns all rows by subject.
func queryPeople(ctx context.Context, tx *sql.Tx) (map[string]personRow, error) {
	all, err := queryAll(ctx, tx, scanPersonRow, "SELECT subject, username, password_hash, person FROM person")
	if err != nil {
		return nil, err
	}
	rows := make(map[string]personRow, len(all))
	for _, r := range all {
		rows[r.subject] = r
	}
	return rows, nil
}

func scanPersonRow(row scanner) (personRow, error) {
	var r personRow
	err := row.Scan(&r.subject, &r.username, &r.passwordHash, &r.person)
	return r, err
}

// writePeopleChanges writes the differences, in the order of subjects.
func writePeopleChanges(exec execFunc, have, want map[string]personRow, at time.Time) error {
	for _, subject := range slices.Sorted(maps.Keys(have)) {
		row, wanted := want[subject]
		if !wanted {
			if err := deletePerson(exec, subject, at); err != nil {
				return err
			}
			continue
		}
		if err := prepareUpdate(exec, have[subject], row, at); err != nil {
			return err
		}
	}
	for _, subject := range slices.Sorted(maps.Keys(want)) {
		row := want[subject]
		if have[subject] == row {
			continue
		}
		if _, err := exec(`INSERT INTO person (subject, username, password_hash, person) VALUES ($1, $2, $3, $4)
			ON CONFLICT (subject) DO UPDATE SET username = excluded.username,
				password_hash = excluded.password_hash, person = excluded.person`,
			row.subject, row.username, row.passwordHash, row.person); err != nil {
			return err
		}
	}
	return nil
}

func deletePerson(exec execFunc, subject string, at time.Time) error {
	if err := endPersonAccess(exec, subject, at); err != nil {
		return err
	}
	_, err := exec("DELETE FROM person WHERE subject = $1", subject)
	return err
}

// prepareUpdate ends the access of a person whose password changes, and gives up a username
// that changes.
func prepareUpdate(exec execFunc, before, after personRow, at time.Time) error {
	if before.passwordHash != after.passwordHash {
		if err := endPersonAccess(exec, before.subject, at); err != nil {
			return err
		}
	}
	if before.username == after.username {
		return nil
	}
	// People may swap usernames, so each one is given up before any is assigned. Valid
	// usernames have no line break.
	_, err := exec("UPDATE person SET username = $2 WHERE subject = $1", before.subject, "\n"+before.subject)
	return err
}

// endPersonAccess ends the sessions and sign-ins of a person and queues the logouts.
func endPersonAccess(exec execFunc, subject string, at time.Time) error {
	if _, err := exec(queuePersonLogoutsSQL, subject, toMillis(at)); err != nil {
		return err
	}
	return execAll(exec, []any{subject},
		"UPDATE signin SET state = 3 WHERE subject = $1 AND state <> 3",
		"DELETE FROM session_client WHERE session_id IN (SELECT id FROM session WHERE subject = $1)",
		"DELETE FROM session WHERE subject = $1",
	)
}
