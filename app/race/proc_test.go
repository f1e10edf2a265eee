package race

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc, the same on every Linux of today.
const tick = 10 * time.Millisecond

// cpuOf returns what a process and all that it has waited for have computed.
func cpuOf(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseStat(b)
}

// parseStat returns utime + stime + cutime + cstime of a line of /proc/PID/stat.
func parseStat(line []byte) (time.Duration, error) {
	// The program's name, in brackets, may hold anything.
	_, rest, ok := bytes.Cut(line[max(0, bytes.LastIndexByte(line, ')')):], []byte(") "))
	fields := strings.Fields(string(rest))
	if !ok || len(fields) < 15 {
		return 0, fmt.Errorf("not a line of /proc/PID/stat: %q", line)
	}
	var ticks int64
	for _, field := range fields[11:15] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("not a line of /proc/PID/stat: %q: %w", line, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// memoryOf returns the bytes of a process that are resident now, and the most
// that were since forgetPeak.
func memoryOf(pid int) (now, peak int64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	if now, err = parseField(b, "VmRSS"); err == nil {
		peak, err = parseField(b, "VmHWM")
	}
	return now, peak, err
}

// forgetPeak lets the most resident bytes of a process count from now on.
func forgetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

// readOf returns how many bytes a process has read from files and sockets with
// the call read.
func readOf(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0, err
	}
	return parseField(b, "rchar")
}

// parseField returns the number after a name and a colon, in bytes where its
// unit is kB. A process that is ending has no memory any more, which is 0.
func parseField(text []byte, name string) (int64, error) {
	for line := range strings.Lines(string(text)) {
		value, ok := strings.CutPrefix(line, name+":")
		if !ok {
			continue
		}
		number, kilo := strings.CutSuffix(strings.TrimSpace(value), " kB")
		n, err := strconv.ParseInt(number, 10, 64)
		if kilo {
			n <<= 10
		}
		return n, err
	}
	if strings.HasPrefix(name, "Vm") && strings.Contains(string(text), "State:") {
		return 0, nil
	}
	return 0, fmt.Errorf("no %s in %q", name, text)
}

// family returns a process and all below it that run.
func family(pid int) []int {
	all := []int{pid}
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is right
	for _, list := range lists {
		b, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for field := range strings.FieldsSeq(string(b)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(all, family(child)...)
			}
		}
	}
	return all
}
