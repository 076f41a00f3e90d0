// A session that ended leads to sign-in; <details data-load="/path"> is filled at first opening with our own HTML.
(() => {
  "use strict";
  const real = window.fetch.bind(window);
  window.fetch = async (...args) => {
    const answer = await real(...args);
    if (answer.status === 401 && new URL(answer.url).origin === location.origin) location.assign("/signin");
    return answer;
  };
  // A conversation that grows stays in sight for whoever reads its end.
  let atEnd = true;
  const measure = () => {
    atEnd = document.documentElement.scrollHeight - window.scrollY - window.innerHeight < 160;
  };
  window.addEventListener("scroll", measure, { passive: true });
  new MutationObserver((changes) => {
    const grew = changes.some((change) => change.target instanceof Element && change.target.closest("#chat-now, #chat-past"));
    if (grew && atEnd) window.scrollTo(0, document.documentElement.scrollHeight);
  }).observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener(
    "toggle",
    async (event) => {
      const box = event.target;
      const path = box.open && box.dataset ? box.dataset.load : undefined;
      if (!path || !path.startsWith("/") || path.startsWith("//")) return;
      delete box.dataset.load;
      const place = box.querySelector(".loaded");
      const answer = await fetch(path, { headers: { accept: "text/html" } });
      place.innerHTML = await answer.text();
    },
    true,
  );
})();
