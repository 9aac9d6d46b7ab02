// Before anything is painted: which theme was chosen, and that there are scripts.
"use strict";
document.documentElement.dataset.script = "";
const chosen = localStorage.getItem("theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
