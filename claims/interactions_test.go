package claims_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/claims"
)

func TestInteractions(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1497871291351)
	t.Run("a rich person in the API's spelling", func(t *testing.T) {
		t.Parallel()
		golden(t, "rich_interactions", rich().SDEs().Interactions(at))
	})
	t.Run("jane in the API's spelling", func(t *testing.T) {
		t.Parallel()
		golden(t, "jane_interactions", demo(t, "jane").SDEs().Interactions(at))
	})
	t.Run("the zero value has an empty list of events", func(t *testing.T) {
		t.Parallel()
		golden(t, "empty_interactions", claims.SDEs{}.Interactions(at))
		blank := claims.SDEs{CustomerInfo: &claims.CustomerInfo{}, PersonalInfo: &claims.PersonalInfo{}}
		require.Empty(t, blank.Interactions(at).Events)
	})
}
