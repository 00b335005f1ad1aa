package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
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

// personDigest is what is compared of a row. All rows would need too much memory.
type personDigest struct {
	username           string
	passwordHash, rest [16]byte
}

func (r personRow) digest() personDigest {
	hash, rest := sha256.Sum256([]byte(r.passwordHash)), sha256.Sum256([]byte(r.person))
	return personDigest{r.username, [16]byte(hash[:16]), [16]byte(rest[:16])}
}

// ReplacePeople implements upstream.People. It replaces those of the people file and leaves
// those of upstreams, except that a subject that both have becomes one of the file. It
// writes only changes, so a start with an unchanged people file writes nothing. A duplicate
// subject or username is an error, and then nothing changes. It goes through the accounts
// twice.
func (s *Store) ReplacePeople(ctx context.Context, accounts iter.Seq[upstream.Account], at time.Time) error {
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
		changed, err := prepareChanges(exec, have, accounts, at)
		if err != nil || len(changed) == 0 {
			return err
		}
		insert, err := tx.PrepareContext(ctx, s.adaptQuery(insertPersonSQL))
		if err != nil {
			return err
		}
		defer func() { _ = insert.Close() }()
		for a := range accounts {
			if !changed[a.Person.Subject] {
				continue
			}
			row, err := encodePerson(a)
			if err != nil {
				return err
			}
			if _, err := insert.ExecContext(ctx, row.subject, row.username, row.passwordHash, row.person); err != nil {
				return err
			}
		}
		return nil
	}))
}

const insertPersonSQL = `INSERT INTO person (subject, username, password_hash, person) VALUES ($1, $2, $3, $4)
	ON CONFLICT (subject) DO UPDATE SET username = excluded.username,
		password_hash = excluded.password_hash, person = excluded.person, upstream = '', updated = 0`

func encodePerson(a upstream.Account) (personRow, error) {
	if !isText(a.Person.Subject) || !isText(a.Username) || !isText(a.PasswordHash) {
		return personRow{}, fmt.Errorf("subject %q, username or password hash has a NUL or is not UTF-8", a.Person.Subject)
	}
	person, err := json.Marshal(a.Person)
	return personRow{a.Person.Subject, a.Username, a.PasswordHash, string(person)}, err
}

// queryPeople returns all people by subject.
func queryPeople(ctx context.Context, tx *sql.Tx) (map[string]personDigest, error) {
	rows, err := tx.QueryContext(ctx, "SELECT subject, username, password_hash, person FROM person WHERE upstream = ''")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	have := map[string]personDigest{}
	for rows.Next() {
		r, err := scanPersonRow(rows)
		if err != nil {
			return nil, err
		}
		have[r.subject] = r.digest()
	}
	return have, rows.Err()
}

func scanPersonRow(row scanner) (personRow, error) {
	var r personRow
	err := row.Scan(&r.subject, &r.username, &r.passwordHash, &r.person)
	return r, err
}

// prepareChanges removes people who are not among the accounts, and prepares the rows that
// change. It returns the subjects of the rows to be written.
func prepareChanges(
	exec execFunc, have map[string]personDigest, accounts iter.Seq[upstream.Account], at time.Time,
) (changed map[string]bool, err error) {
	changed = map[string]bool{} // false for people who stay as they are
	for a := range accounts {
		row, err := encodePerson(a)
		if err != nil {
			return nil, err
		}
		if _, duplicate := changed[row.subject]; duplicate {
			return nil, fmt.Errorf("duplicate subject %q", row.subject)
		}
		before, known := have[row.subject]
		changed[row.subject] = !known || before != row.digest()
		if !known || !changed[row.subject] {
			continue
		}
		if err := prepareUpdate(exec, row.subject, before, row.digest(), at); err != nil {
			return nil, err
		}
	}
	for subject := range have {
		if _, wanted := changed[subject]; wanted {
			continue
		}
		if err := deletePerson(exec, subject, at); err != nil {
			return nil, err
		}
	}
	return changed, nil
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
func prepareUpdate(exec execFunc, subject string, before, after personDigest, at time.Time) error {
	if before.passwordHash != after.passwordHash {
		if err := endPersonAccess(exec, subject, at); err != nil {
			return err
		}
	}
	if before.username == after.username {
		return nil
	}
	// People may swap usernames, so each one is given up before any is assigned. Valid
	// usernames have no line break.
	_, err := exec("UPDATE person SET username = $2 WHERE subject = $1", subject, "\n"+subject)
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
		"DELETE FROM upstream_session WHERE session_id IN (SELECT id FROM session WHERE subject = $1)",
		"DELETE FROM session WHERE subject = $1",
	)
}
