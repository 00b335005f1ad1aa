package doctor

import (
	"fmt"
	"net/http"
	"time"
)

// Clock is the code of checkClock.
const Clock Code = "clock"

// How far the provider's clock may be off.
const (
	clockWarning = 30 * time.Second
	clockError   = 5 * time.Minute
)

// checkClock compares the provider's clock with this machine's, by the Date header,
// which has whole seconds.
func (e *exam) checkClock(res response) {
	date, err := http.ParseTime(res.header.Get("Date"))
	if err != nil {
		e.addNote(Clock, "Responses have no Date header, so the provider's clock cannot be compared.",
			"Compare the clocks yourself: run timedatectl on both machines.")
		return
	}
	ahead := date.Sub(e.cfg.Now()).Round(time.Second)
	if ahead.Abs() <= clockWarning {
		e.addOK(Clock, "The provider's clock agrees with this machine's.")
		return
	}
	offset := fmt.Sprintf("%s ahead of", ahead)
	if ahead < 0 {
		offset = fmt.Sprintf("%s behind", -ahead)
	}
	add := e.addWarning
	if ahead.Abs() > clockError {
		add = e.addError
	}
	add(Clock, fmt.Sprintf("The provider's clock is %s this machine's.", offset),
		"Synchronize both clocks with a time server (timedatectl set-ntp true). LivePerson rejects tokens that are "+
			"expired or were issued in the future.")
}
