package conformance

import (
	"errors"
	"sync"

	"idpbridge/internal/robot"
)

// firstLogin is the first sign-in of a person in a run.
type firstLogin struct {
	once     sync.Once
	rejected bool
}

// person and otherPerson return the users of the target. Their passwords are tried once
// before all checks, which wait for that: a wrong password that every check submits
// again would lock the account.
func (r *run) person() Person      { return r.verifyPassword(r.target.Person) }
func (r *run) otherPerson() Person { return r.verifyPassword(r.target.OtherPerson) }

func (r *run) verifyPassword(p Person) Person {
	if p == (Person{}) {
		return p // what needs the person is skipped or fails
	}
	value, _ := r.target.logins.LoadOrStore(p, &firstLogin{})
	login, ok := value.(*firstLogin)
	r.require(ok, "a login of another type")
	login.once.Do(func() { login.rejected = r.isPasswordRejected(p) })
	r.require(!login.rejected, "the provider rejects the password of %s; it was submitted once and is not tried again",
		p.Username)
	return p
}

// isPasswordRejected signs a person in. Any other error is for the checks to find.
func (r *run) isPasswordRejected(p Person) bool {
	b, request := r.browser(), r.newRequest(r.target.Web, codeFlow())
	page, err := b.robot.Get(r.ctx, r.authorizationURL(request))
	if err != nil {
		return false
	}
	_, err = b.robot.FinishSignIn(r.ctx, page, request.Get("redirect_uri"), p)
	_, rejected := errors.AsType[*robot.LoginRejectedError](err)
	return rejected
}
