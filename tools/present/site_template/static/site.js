// What the course's pages need beside the theme's own scripts.

// From a file a page may not read other pages: search then lists titles, without extracts.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// A notebook is to be kept, not to be shown as text.
document.addEventListener("DOMContentLoaded", () => {
  for (const link of document.querySelectorAll(".btn-download-source-button")) link.download = "";
});
