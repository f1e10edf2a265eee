package command

import (
	"github.com/spf13/cobra"

	"github.com/potluck-share/potluck/app/shape"
)

func (c *Commands) hide() *cobra.Command {
	return c.visibility("hide", "Vanish from others until shown again", true, `Nobody sees this computer or what it shares, and nobody can copy from it, until
"potluck show", also after a restart. Downloads go on; those you download from
see that you do.`)
}

func (c *Commands) show() *cobra.Command {
	return c.visibility("show", "Be seen by others again", false, `What "potluck hide" did ends: others see this computer and what it shares within
seconds.`)
}

func (c *Commands) visibility(name, short string, hidden bool, long string) *cobra.Command {
	return &cobra.Command{
		Use:   name,
		Short: short,
		Long:  short + ".\n\n" + long,
		Args:  Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.Call(cmd.Context(), "hide", shape.HideRequest{Hidden: hidden}, nil)
		},
	}
}
