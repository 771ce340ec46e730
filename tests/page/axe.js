// Judges a page with axe-core in Chromium, on a phone and on a desktop, in both languages, in light and dark:
// node axe.js FILE. Prints what it finds, requests and messages of the page among it, and a last line.
const fs = require("fs");
const path = require("path");
const puppeteer = require("puppeteer-core");

const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

async function judge(browser, file, width, language, scheme) {
  const page = await browser.newPage();
  const found = [];
  page.on("console", (message) => found.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => found.push(`error: ${error}`));
  page.on("dialog", (dialog) => {
    found.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!request.url().startsWith("file:")) found.push(`request: ${request.url()}`);
  });
  await page.setViewport({ width, height: 844 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(`file://${path.resolve(file)}#${language}`);
  const seen = await page.evaluate(() => ({
    shown: ["en", "ja"].filter((id) => document.getElementById(id).offsetHeight > 0).join(),
    overflow: document.documentElement.scrollWidth - innerWidth,
  }));
  if (seen.shown !== language) found.push(`shown: ${seen.shown}`);
  if (seen.overflow > 0) found.push(`overflow: ${seen.overflow}`);
  await page.evaluate(AXE);
  const result = await page.evaluate(
    (values) => axe.run(document, { runOnly: { type: "tag", values } }),
    RULES,
  );
  for (const violation of result.violations) {
    for (const node of violation.nodes) found.push(`${violation.id}: ${node.html}`);
  }
  await page.close();
  return found.map((line) => `${width} ${language} ${scheme}: ${line}`);
}

(async () => {
  // Chromium has no sandbox of its own where it runs as root.
  const args = ["--no-sandbox", "--disable-gpu"];
  const browser = await puppeteer.launch({ executablePath: "/usr/bin/chromium", headless: true, args });
  let judged = 0;
  try {
    for (const width of [390, 1280]) {
      for (const language of ["en", "ja"]) {
        for (const scheme of ["light", "dark"]) {
          const found = await judge(browser, process.argv[2], width, language, scheme);
          for (const line of found) console.log(line);
          judged += 1;
        }
      }
    }
  } finally {
    await browser.close();
  }
  console.log(`${judged} judged`);
})();
