package store

import (
	"encoding/json"
	"errors"
	"os"
	"time"
)

// cleanStop describes a SQLite file when it was closed. Its mark is a file beside the
// database. If the mark matches the database, nothing has touched the file since, and it
// need not be read in full at the next start.
type cleanStop struct {
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
}

func cleanStopFile(path string) string { return path + "-clean" }

// writeCleanStop marks the database as closed. Without a mark the next start only takes
// longer, so errors are ignored.
func writeCleanStop(path string) {
	stop, err := statDatabase(path)
	if err != nil {
		return
	}
	mark, err := json.Marshal(stop)
	if err != nil {
		return
	}
	_ = os.WriteFile(cleanStopFile(path), mark, 0o600)
}

// takeCleanStop reports whether the database was closed and is unchanged since. It removes
// the mark, so that a killed process leaves none.
func takeCleanStop(path string) (bool, error) {
	mark, err := os.ReadFile(cleanStopFile(path))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := os.Remove(cleanStopFile(path)); err != nil {
		return false, err
	}
	var stop cleanStop
	now, err := statDatabase(path)
	if err != nil || json.Unmarshal(mark, &stop) != nil {
		return false, nil //nolint:nilerr // then it was not closed, and is read in full
	}
	return now.Size == stop.Size && now.Modified.Equal(stop.Modified), nil
}

// statDatabase describes a closed database. A log beside it means that it is not closed.
func statDatabase(path string) (cleanStop, error) {
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		return cleanStop{}, errors.New("the database has a log")
	}
	info, err := os.Stat(path)
	if err != nil {
		return cleanStop{}, err
	}
	return cleanStop{Size: info.Size(), Modified: info.ModTime()}, nil
}
