package command

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/shape"
)

func (c *Commands) transfers() *cobra.Command {
	return &cobra.Command{
		Use:   "transfers",
		Short: "List downloads, uploads and what is sent",
		Args:  Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := collect[shape.Transfer](cmd.Context(), c, "transfers", struct{}{})
			if err != nil || c.JSON {
				return c.array(all, err)
			}
			rows := make([][]string, len(all))
			for i, t := range all {
				if t.Kind == domain.Offering {
					t.ID = t.ID[:shape.ShortOffer]
				}
				rows[i] = []string{t.ID, string(t.Kind), t.Name, t.Path, percent(t.Done, t.Size) + " of " + domain.SizeText(t.Size), standing(t)}
			}
			return c.table([]string{"ID", "KIND", "WITH", "WHAT", "DONE", "STATE"}, rows, "Nothing is moving. See what others share with: potluck browse PEER")
		},
	}
}

func (c *Commands) pause() *cobra.Command {
	return c.eachTransfer("pause", "Pause downloads", `They keep what is fetched and their place in the order, and go on with resume.`)
}

func (c *Commands) resume() *cobra.Command {
	return c.eachTransfer("resume", "Go on with downloads, or try them again", `Paused ones go on where they stopped. Failed and cancelled ones are tried again
with what is shared now; "all" stands for the paused, waiting and failed ones.`)
}

func (c *Commands) cancel() *cobra.Command {
	return c.eachTransfer("cancel", "End downloads and remove what is unfinished; take back what you send", `Files that are finished stay. What is unfinished is removed after 10 s: until then
resume goes on with it, afterwards it begins again.`)
}

func (c *Commands) first() *cobra.Command {
	return c.eachTransfer("first", "Run downloads before all others", `They come to the front of the order, and run at once: where all places are
taken, the running one that comes last goes back into the queue. How many run at
once is told and set by: potluck limit`)
}

func (c *Commands) later() *cobra.Command {
	return c.eachTransfer("later", "Run downloads after all others", `They go to the back of the order. One that runs gives its place to the first in
the queue, if there is one.`)
}

func (c *Commands) eachTransfer(name, short, long string) *cobra.Command {
	return &cobra.Command{
		Use:   name + " ID...|all",
		Short: short,
		Long:  short + ".\n\n" + long,
		Args:  Args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			all, err := collect[shape.Transfer](cmd.Context(), c, name, shape.IDsRequest{IDs: ids})
			switch {
			case err != nil && len(all) == 0:
				return err
			case c.JSON:
				return errors.Join(c.array(all, nil), err)
			default:
				return errors.Join(c.table([]string{"WHAT", "STATE"}, standings(all), "There is nothing to do."), err)
			}
		},
	}
}

// standings are rows of what transfers are of and how they stand.
func standings(all []shape.Transfer) [][]string {
	rows := make([][]string, len(all))
	for i, t := range all {
		rows[i] = []string{t.Path, standing(t)}
	}
	return rows
}

// standing is the state of a transfer, with its reason.
func standing(t shape.Transfer) string {
	if t.Reason == "" {
		return string(t.State)
	}
	return string(t.State) + ": " + t.Reason
}

func (c *Commands) choose() *cobra.Command {
	var request shape.ChooseRequest
	cmd := &cobra.Command{
		Use:   "choose ID",
		Short: "List the files of a download; leave some out or take them in",
		Long: `List the files of a download, or choose which of them are wanted:

  potluck choose ID --skip '*.mov' --skip raw    without films and the folder raw
  potluck choose ID --skip '*' --take '*.jpg'    pictures only

What was fetched of a file that is left out is removed unless the file is
finished; taken in again it begins anew. Patterns without a slash mean names
everywhere, others paths below the folder.`,
		Args: Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			request.ID = ids[0]
			all, err := collect[shape.File](cmd.Context(), c, "choose", request)
			if err != nil || c.JSON {
				return c.array(all, err)
			}
			rows := make([][]string, len(all))
			for i, f := range all {
				state := string(f.State)
				if f.Skipped {
					state = "left out"
				} else if f.State == domain.Running {
					state = percent(f.Done, f.Size)
				}
				rows[i] = []string{f.Path, domain.SizeText(f.Size), state}
			}
			return c.table([]string{"FILE", "SIZE", "STATE"}, rows, "It has no files.")
		},
	}
	cmd.Flags().StringArrayVar(&request.Skip, "skip", nil, "leave out the files that this `pattern` means (repeatable)")
	cmd.Flags().StringArrayVar(&request.Take, "take", nil, "take in the files that this `pattern` means, after --skip (repeatable)")
	return cmd
}

func percent(done, size int64) string {
	if size <= 0 {
		return "100 %"
	}
	return fmt.Sprintf("%d %%", 100*done/size)
}

func (c *Commands) limit() *cobra.Command {
	var up, down, hours, slowUp, slowDown string
	var atOnce, people, perPerson int
	cmd := &cobra.Command{
		Use:   "limit",
		Short: "Show or set the limits of speed and how many downloads run at once",
		Long: `Show the limits of speed, or set them: "potluck limit --up '5 MB/s'". They hold
for all uploads and all downloads together, from this moment on, and are kept.
"none" removes one.

With "potluck limit --people 4 --per-person 1" four people at most are served at
once, each of them one large file at a time. The others wait in a queue and see
their place in it.

In the slow hours others hold instead:

  potluck limit --slow-hours 08:00-17:00 --slow-up '500 kB/s'`,
		Args: Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var request shape.LimitRequest
			for _, one := range []struct {
				name, text string
				into       **int64
			}{
				{"up", up, &request.Upload},
				{"down", down, &request.Download},
				{"slow-up", slowUp, &request.SlowUpload},
				{"slow-down", slowDown, &request.SlowDownload},
			} {
				if !cmd.Flags().Changed(one.name) {
					continue
				}
				rate, err := domain.ParseRate(one.text)
				if err != nil {
					return fmt.Errorf("--%s: %w", one.name, err)
				}
				*one.into = &rate
			}
			if cmd.Flags().Changed("at-once") {
				if atOnce < 1 || atOnce > domain.MostDownloadsAtOnce {
					return fmt.Errorf("%w: --at-once %d: choose 1 to %d", domain.ErrUsage, atOnce, domain.MostDownloadsAtOnce)
				}
				request.AtOnce = &atOnce
			}
			for _, one := range []struct {
				name  string
				value int
				into  **int
			}{{"people", people, &request.People}, {"per-person", perPerson, &request.PerPerson}} {
				if !cmd.Flags().Changed(one.name) {
					continue
				}
				if one.value < 0 || one.value > domain.MostUploadsAtOnce {
					return fmt.Errorf("%w: --%s %d: choose 1 to %d, or 0 for no limit", domain.ErrUsage, one.name, one.value, domain.MostUploadsAtOnce)
				}
				*one.into = &one.value
			}
			if cmd.Flags().Changed("slow-hours") {
				if _, _, err := domain.ParseHours(hours); err != nil {
					return fmt.Errorf("--slow-hours: %w", err)
				}
				request.SlowHours = &hours
			}
			return c.Call(cmd.Context(), "limit", request, func(raw json.RawMessage) error {
				var now shape.Limit
				if err := json.Unmarshal(raw, &now); err != nil {
					return err
				}
				return c.Line(raw, limitText(now))
			})
		},
	}
	cmd.Flags().StringVar(&up, "up", "", "the most for all uploads, a `speed` like 5 MB/s, or none")
	cmd.Flags().StringVar(&down, "down", "", "the most for all downloads, a `speed` like 5 MB/s, or none")
	cmd.Flags().IntVar(&atOnce, "at-once", 0, "how `many` downloads run at once; the others are queued")
	cmd.Flags().IntVar(&people, "people", 0, "how `many` people are served at once; 0 for no limit")
	cmd.Flags().IntVar(&perPerson, "per-person", 0, "how `many` large files each of them gets at once; 0 for no limit")
	cmd.Flags().StringVar(&hours, "slow-hours", "", "the `time` of day in which the slow limits hold, like 22:00-06:00, or none")
	cmd.Flags().StringVar(&slowUp, "slow-up", "", "the most for all uploads in the slow hours, a `speed` or none")
	cmd.Flags().StringVar(&slowDown, "slow-down", "", "the most for all downloads in the slow hours, a `speed` or none")
	return cmd
}

// limitText shows the limits; the slow ones where there are slow hours.
func limitText(now shape.Limit) string {
	text := fmt.Sprintf("upload    %s\ndownload  %s\nat once   %s",
		domain.RateText(now.Upload), domain.RateText(now.Download), count(now.AtOnce, "download"))
	if now.People > 0 {
		text += fmt.Sprintf("\npeople    %d served at once", now.People)
	}
	if now.PerPerson > 0 {
		text += "\neach      " + count(now.PerPerson, "large file") + " at once"
	}
	if now.SlowHours == domain.HoursText(0, 0) {
		return text
	}
	return text + fmt.Sprintf("\nslow      %s: upload %s, download %s",
		now.SlowHours, domain.RateText(now.SlowUpload), domain.RateText(now.SlowDownload))
}
