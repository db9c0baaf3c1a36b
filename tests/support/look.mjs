// Look at pages in a real browser: node look.mjs JOB.json, with {modules, chromium, shots, pages: [{name, url}]}.
// Prints one JSON list: for each page, width and colour scheme what was requested, logged, too wide, or inaccessible.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const require = createRequire(job.modules + "/");
const { chromium } = require("playwright-core");
const axe = readFileSync(job.modules + "/axe-core/axe.min.js", "utf8");
const browser = await chromium.launch({ executablePath: job.chromium, args: ["--no-sandbox", "--disable-gpu"] });
const seen = [];
for (const { name, url } of job.pages) {
  for (const width of [1280, 390]) {
    for (const colorScheme of ["light", "dark"]) {
      const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
      const page = await context.newPage();
      const requests = [], logged = [];
      page.on("request", (request) => requests.push(request.url()));
      page.on("console", (message) => logged.push(message.text()));
      page.on("pageerror", (error) => logged.push(String(error)));
      await page.goto(url);
      const before = await page.title();
      const wide = await page.evaluate(() =>
        [...document.querySelectorAll("body *")]
          .filter((e) => !e.closest("svg") && !e.matches(".skip"))
          .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < -1)
          .map((e) => e.tagName + "." + e.className).slice(0, 5)
          .concat(document.documentElement.scrollWidth > innerWidth ? ["the page"] : []));
      await page.screenshot({ path: `${job.shots}/${name}-${width}-${colorScheme}.png`, fullPage: !name.includes("30") });
      const skip = await page.keyboard.press("Tab").then(() => page.evaluate(() => document.activeElement?.textContent));
      await page.evaluate(axe);
      const found = await page.evaluate(() => axe.run());
      const violations = found.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target).join(" | ")}`);
      const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      seen.push({ name, width, colorScheme, requests, logged, wide, violations, title: before, skip, paper,
                  passes: found.passes.length });
      if (width === 1280 && colorScheme === "light") await page.pdf({ path: `${job.shots}/${name}.pdf` });
      await context.close();
    }
  }
}
await browser.close();
console.log(JSON.stringify(seen));
