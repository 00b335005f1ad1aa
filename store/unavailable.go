package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// isUnavailable reports whether an error means that the database does not respond or
// cannot be written at the moment, such as on a full disk or during a failover.
func isUnavailable(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff { // the primary result code
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY,
			sqlite3.SQLITE_CANTOPEN:
			return true
		}
		return false
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return isUnavailableCode(e.Code)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	_, isNetwork := errors.AsType[net.Error](err)
	return isNetwork || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// isUnavailableCode reports whether an SQLSTATE is about the server, not the statement:
// classes 08 (connection), 53 (resources), 57P (shutdown), and a read-only server.
func isUnavailableCode(code string) bool {
	for _, prefix := range []string{"08", "53", "57P", "25006"} {
		if strings.HasPrefix(code, prefix) {
			return true
		}
	}
	return false
}
