// Package filemode checks that files with secrets are closed to other users.
package filemode

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	group  = 0o070
	others = 0o007
)

// CheckPrivate returns an error if a file or folder belongs to another user, or if its
// mode lets other users use it. One that belongs to root may be open to a group, for
// reading if it is a file. The error begins with a verb and says what to do.
func CheckPrivate(path string, info fs.FileInfo) error {
	user := os.Geteuid()
	owner, known := ownerOf(info)
	if known && owner != user && owner != 0 {
		return fmt.Errorf("belongs to another user (uid %d); run: chown %d %s", owner, user, path)
	}
	forbidden := fs.FileMode(group | others)
	if known && owner == 0 && user != 0 {
		forbidden = others | 0o030
		if info.IsDir() {
			forbidden = others
		}
	}
	if info.Mode().Perm()&forbidden == 0 {
		return nil
	}
	if info.IsDir() {
		return fmt.Errorf("is accessible to other users; run: chmod 700 %s, or use a folder inside it", path)
	}
	return fmt.Errorf("is accessible to other users; run: chmod 600 %s", path)
}

// CheckFile is CheckPrivate for a file that the folders above it may protect: a mode that
// lets other users read it is no error if they cannot get there.
func CheckFile(path string) error {
	path, err := filepath.Abs(path)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return describe(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return describe(err)
	}
	refusal := CheckPrivate(path, info)
	if owner, known := ownerOf(info); known && owner != os.Geteuid() && owner != 0 {
		return refusal
	}
	reach := reachOf(info.Mode().Perm())
	for folder := filepath.Dir(path); refusal != nil; folder = filepath.Dir(folder) {
		info, err := os.Stat(folder)
		if err != nil {
			return describe(err)
		}
		reach &= reachOf(info.Mode().Perm() & 0o011)
		if reach == 0 {
			return nil
		}
		if folder == filepath.Dir(folder) {
			break
		}
	}
	return refusal
}

// reachOf returns whom a mode gives any permission: 1 for others, 2 for the group. What
// others may do, the group of another folder may do as well.
func reachOf(mode fs.FileMode) int {
	if mode&others != 0 {
		return 3
	}
	if mode&group != 0 {
		return 2
	}
	return 0
}

// describe leaves the path out of an error, and begins with a verb.
func describe(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("does not exist: %w", err)
	}
	return fmt.Errorf("cannot be read: %w", err)
}
