package sandbox

// job is work that goes on after a mutation has answered.
type job struct {
	id    int64
	polls int    // requests since it was taken on
	work  func() // nil: done
}

// jobLag is how many requests come before the work is done: who looks at once
// finds nothing changed.
const jobLag = 2

// later takes work on.
func (s *Shop) later(work func()) *job {
	j := &job{id: int64(len(s.shopify.jobs) + 1), work: work}
	s.shopify.jobs = append(s.shopify.jobs, j)
	return j
}

// workOff does what has waited long enough. The shop is locked.
func (s *Shop) workOff() {
	for _, j := range s.shopify.jobs {
		if j.polls++; j.work != nil && j.polls >= jobLag {
			s.tick()
			j.work()
			j.work = nil
			s.changed()
		}
	}
}

func (s *Shop) job(id int64) *job {
	if id < 1 || id > int64(len(s.shopify.jobs)) {
		return nil
	}
	return s.shopify.jobs[id-1]
}

func jobTypes() []gqlType {
	return []gqlType{
		{name: "QueryRoot", fields: gqlFields{
			"job": gqlObject("Job", func(x *gqlRun, _ gqlRoot) *job { return x.s.job(gidNumber(x.args.text("id"), "Job")) }),
		}},
		{name: "Job", fields: gqlFields{
			"id":   gqlID("Job", func(_ *gqlRun, j *job) int64 { return j.id }),
			"done": gqlBool(func(_ *gqlRun, j *job) bool { return j.work == nil }),
		}},
	}
}
