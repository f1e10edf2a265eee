package app

import (
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/settings"
)

func TestSlowHoursBeginAndEnd(t *testing.T) {
	chosen, err := settings.Open(filepath.Join(t.TempDir(), "settings.toml"), domain.Settings{
		Name: "Mira", Downloads: t.TempDir(), UploadLimit: 50_000, SlowFrom: 22 * 60, SlowUntil: 6 * 60, SlowUpload: 10_000, SlowDownload: 20_000,
	})
	if err != nil {
		t.Fatal(err)
	}
	type limits struct{ up, down int64 }
	var now atomic.Pointer[time.Time]
	var set atomic.Pointer[limits]
	clock := func(hour, minute, second int) {
		at := time.Date(2024, 6, 1, hour, minute, second, 0, time.Local)
		now.Store(&at)
	}
	p := &pace{
		now: func() time.Time { return *now.Load() }, values: chosen.Values,
		set: func(up, down int64) { set.Store(&limits{up, down}) },
	}
	chosen.OnChange(func(domain.Settings) { p.apply() })
	clock(21, 59, 59)
	p.apply()
	stop := p.start(t.Context())
	wait := func(want limits) {
		t.Helper()
		for until := time.Now().Add(5 * paceEvery); *set.Load() != want; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("at %s the limits are %+v, want %+v", now.Load().Format(time.TimeOnly), *set.Load(), want)
			}
		}
	}
	day, night := limits{50_000, 0}, limits{10_000, 20_000}
	wait(day)
	clock(22, 0, 0)
	wait(night)
	clock(5, 59, 59)
	wait(night)
	clock(6, 0, 0)
	wait(day)

	// A change of the settings does not wait for the next look.
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := chosen.Update(t.Context(), func(v *domain.Settings) { v.SlowFrom, v.SlowUntil = 0, 12*60 }); err != nil {
		t.Fatal(err)
	}
	if *set.Load() != night {
		t.Errorf("after the slow hours were moved the limits are %+v", *set.Load())
	}
	if err := chosen.Update(t.Context(), func(v *domain.Settings) { v.SlowUpload = 0 }); err != nil {
		t.Fatal(err)
	}
	if want := (limits{0, 20_000}); *set.Load() != want {
		t.Errorf("the limits are %+v, want %+v", *set.Load(), want)
	}
}
