package filemode_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/filemode"
)

func TestCheckPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	for mode, want := range map[fs.FileMode]string{
		0o600: "", 0o400: "", 0o700: "", 0o640: "chmod 600 " + path, 0o604: "chmod 600", 0o620: "chmod 600",
	} {
		require.NoError(t, os.Chmod(path, mode))
		info, err := os.Stat(path)
		require.NoError(t, err)
		err = filemode.CheckPrivate(path, info)
		if want == "" {
			require.NoError(t, err, mode)
			continue
		}
		require.ErrorContains(t, err, want, mode)
	}
	folder := filepath.Dir(path)
	require.NoError(t, os.Chmod(folder, 0o750))
	info, err := os.Stat(folder)
	require.NoError(t, err)
	require.ErrorContains(t, filemode.CheckPrivate(folder, info), "chmod 700 "+folder)
}

func TestCheckFileLooksAtTheFoldersAbove(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(folder), 0o755))
	inner := filepath.Join(folder, "inner")
	require.NoError(t, os.Mkdir(inner, 0o700))
	path := filepath.Join(inner, "file")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	check := func(fileMode, folderMode fs.FileMode) error {
		require.NoError(t, os.Chmod(path, fileMode))
		require.NoError(t, os.Chmod(inner, folderMode))
		return filemode.CheckFile(path)
	}
	require.NoError(t, check(0o644, 0o700))
	require.NoError(t, check(0o600, 0o755))
	require.NoError(t, check(0o640, 0o700))
	require.ErrorContains(t, check(0o644, 0o755), "chmod 600 ")
	require.ErrorContains(t, check(0o640, 0o750), "chmod 600 ")
	require.NoError(t, os.Symlink(path, filepath.Join(folder, "link")))
	require.ErrorContains(t, filemode.CheckFile(filepath.Join(folder, "link")), "chmod 600 ")
	require.ErrorContains(t, filemode.CheckFile(filepath.Join(folder, "none")), "does not exist")
}

func TestCheckPrivateRejectsAnotherOwner(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Chown(path, 12345, -1))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.EqualError(t, filemode.CheckPrivate(path, info), "belongs to another user (uid 12345); run: chown 0 "+path)
	require.ErrorContains(t, filemode.CheckFile(path), "belongs to another user")
}
