package app

import "github.com/spf13/cobra"

func (c *commands) hide() *cobra.Command {
	return c.visibility("hide", "Vanish from others until shown again", true, `Nobody sees this computer or what it shares, and nobody can copy from it, until
"potluck show", also after a restart. Downloads go on; those you download from
see that you do.`)
}

func (c *commands) show() *cobra.Command {
	return c.visibility("show", "Be seen by others again", false, `What "potluck hide" did ends: others see this computer and what it shares within
seconds.`)
}

func (c *commands) visibility(name, short string, hidden bool, long string) *cobra.Command {
	return &cobra.Command{
		Use:   name,
		Short: short,
		Long:  short + ".\n\n" + long,
		Args:  args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.call(cmd.Context(), "hide", hideRequest{Hidden: hidden}, nil)
		},
	}
}
