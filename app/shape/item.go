package shape

import (
	"fmt"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
)

// ParseItem reads PEER:PATH, a content ID, or a link. name is the PEER.
// The error wraps domain.ErrUsage.
func ParseItem(item string) (want domain.GetRequest, name string, err error) {
	if domain.IsLink(item) {
		link, err := domain.ParseLink(item)
		if err != nil {
			return want, "", err
		}
		if link.Kind == domain.LinkInvite {
			return want, "", fmt.Errorf("%w: that is an invitation; accept it with: potluck connect -", domain.ErrUsage)
		}
		if link.Kind == domain.LinkPeer && link.Path == "" {
			return want, "", fmt.Errorf("%w: the link %s names nothing to download; see what they share with: potluck browse PEER", domain.ErrUsage, item)
		}
		return domain.GetRequest{Content: link.Content, Path: link.Path}, link.Peer, nil
	}
	if len(item) == 64 {
		if id, err := domain.ParseContentID(item); err == nil {
			return domain.GetRequest{Content: id}, "", nil
		}
	}
	name, path, ok := strings.Cut(item, ":")
	path = strings.Trim(path, "/")
	if !ok || name == "" || path == "" {
		return want, "", fmt.Errorf("%w: %q is neither PEER:PATH nor a content ID nor a link", domain.ErrUsage, item)
	}
	return domain.GetRequest{Path: path}, name, nil
}
