// What the course's pages need beside the theme's own scripts.

// From a file a page may not read other pages: search then lists titles, without extracts.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// A step's link to itself leads there and is copied, where the browser lets it be.
document.addEventListener("click", async (event) => {
  const link = event.target.closest(".step-link");
  if (!link || !navigator.clipboard) return;
  try {
    await navigator.clipboard.writeText(link.href);
  } catch {
    return; // the address is in the browser's bar
  }
  document.querySelector(".copied")?.classList.remove("copied");
  link.classList.add("copied");
});

// A notebook is to be kept, not to be shown as text.
document.addEventListener("DOMContentLoaded", () => {
  for (const link of document.querySelectorAll(".btn-download-source-button")) link.download = "";
});
