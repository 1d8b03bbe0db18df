"""What a browser shows, from the templates beside these files; and pictures of everybody."""

from yibao.adapters.views.pages.dossier import dossier_page

__all__ = ["dossier_page"]
