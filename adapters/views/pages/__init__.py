"""What a browser shows, from the templates beside these files; and pictures of everybody."""

from yibao.adapters.views.pages.dossier import dossier_page
from yibao.adapters.views.pages.timelines import timeline_svg, timeline_table

__all__ = ["dossier_page", "timeline_svg", "timeline_table"]
