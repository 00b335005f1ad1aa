package memnet_test

import (
	"io"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/memnet"
)

func TestNetwork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, start := memnet.New(t), time.Now()
		stop := n.Serve(t, "127.0.0.1:1", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Hour)
			_, _ = io.WriteString(w, "hello")
		}))
		res, err := n.Client().Get("http://127.0.0.1:1/")
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, "hello", string(body))
		require.Equal(t, time.Hour, time.Since(start), "the fake clock advances")
		stop()
		for _, address := range []string{"http://127.0.0.1:1/", "http://127.0.0.1:2/"} {
			_, err = n.Client().Get(address)
			require.ErrorIs(t, err, syscall.ECONNREFUSED, address)
		}
	})
}
