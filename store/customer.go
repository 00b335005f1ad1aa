package store

import (
	"context"
	"time"

	"idpbridge/claims"
	"idpbridge/upstream"
)

// updateInterval is how exact the time of a person's last sign-in is. It saves a write for
// most sign-ins of the same person.
const updateInterval = 24 * time.Hour

// recordPersonSQL changes nothing if nothing is new, or if the people file has the subject.
// No person of a file has a username with a line break.
const recordPersonSQL = `INSERT INTO person (subject, username, password_hash, person, upstream, updated)
	VALUES ($1, $2, '', $3, $4, $5)
	ON CONFLICT (subject) DO UPDATE SET person = excluded.person, upstream = excluded.upstream, updated = excluded.updated
		WHERE person.upstream <> '' AND (person.person <> excluded.person OR person.upstream <> excluded.upstream
			OR person.updated < $6)`

// RecordPerson implements upstream.Customers.
func (s *Store) RecordPerson(ctx context.Context, from string, person claims.Person, at time.Time) error {
	row, err := encodePerson(upstream.Account{Username: "\n" + person.Subject, Person: person})
	if err != nil {
		return wrapError("record person", err)
	}
	_, err = s.stmts.recordPerson.ExecContext(ctx, row.subject, row.username, row.person, from,
		toMillis(at), toMillis(at.Add(-updateInterval)))
	return wrapError("record person", err)
}
