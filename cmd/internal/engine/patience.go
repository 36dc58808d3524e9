package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// How long a request is tried within one pass. What fails all the same ends
// the pass; the daemon then comes back to it, see backOff.
const (
	maxTries     = 5                // of a request that fails for a passing reason
	firstWait    = time.Second      // before the second try; doubles from there
	longestWait  = 30 * time.Second // between two tries
	longWait     = 10 * time.Second // that a person wants to know of while it lasts
	maxThrottles = 20               // in a row, of one request
	longestBrake = 5 * time.Minute  // that a shop may ask for without ending the pass
)

// patiently makes a request of a shop, and makes it again where that may
// help. After one has failed for good, the next ones are tried only once until
// one succeeds, so that a shop which is down is found out soon.
func (e *Engine) patiently(ctx context.Context, sh *shop, r intake.Resource, request func() error) error {
	tries, throttles, wait := 0, 0, firstWait
	for {
		err := request()
		if err == nil {
			sh.stumbled = false
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		pause := jittered(wait)
		switch connectors.ClassOf(err) {
		case connectors.Transient:
			if tries++; tries >= maxTries || sh.stumbled {
				sh.stumbled = true
				return err
			}
			wait = min(2*wait, longestWait)
		case connectors.Throttled:
			if after := retryAfter(err); after > 0 {
				pause = after
			} else {
				wait = min(2*wait, longestWait)
			}
			if throttles++; throttles > maxThrottles || pause > longestBrake {
				return err
			}
		default:
			return err
		}
		ev := sh.log.Info() // if it goes on, whoever asked tells of it
		if pause >= longWait {
			ev = sh.log.Warn()
		}
		ev.Err(err).Str("resource", string(r)).Str("wait", pause.Round(time.Millisecond).String()).Msg("trying again")
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// retryAfter returns how long the shop asks to be left alone; zero where it
// does not say.
func retryAfter(err error) time.Duration {
	var e *connectors.Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

// Limits of the back-off between passes.
const (
	firstBackOff   = 30 * time.Second
	longestBackOff = 30 * time.Minute
)

// Limits of the wait before a shop that refuses is asked again: a key that is
// wrong stays wrong until a person acts, and a firewall does not like to be
// tried.
const (
	firstPause   = 15 * time.Minute
	longestPause = 6 * time.Hour
)

// pauseFor returns how long to leave a shop alone that has refused so many
// times in a row.
func pauseFor(denials int) time.Duration {
	return jittered(doubled(firstPause, longestPause, denials-1))
}

// backOff returns how long to leave a resource alone after it has failed so
// many times in a row.
func backOff(failures int) time.Duration {
	return jittered(doubled(firstBackOff, longestBackOff, failures-1))
}

// doubled returns d doubled so many times, longest at most.
func doubled(d, longest time.Duration, times int) time.Duration {
	for ; times > 0 && d < longest; times-- {
		d *= 2
	}
	return min(d, longest)
}

// jittered takes up to a quarter off, so that what failed together does not
// come back together.
func jittered(d time.Duration) time.Duration { return d - rand.N(d/4) }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
