// Light, dark or as the system has it; set before anything is painted.
(() => {
  const chosen = localStorage.getItem("ringback-theme");
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.bsTheme = chosen || (dark ? "dark" : "light");
})();
