// A session that ended leads to sign-in; <details data-load="/path"> is filled at first opening with our own HTML.
(() => {
  "use strict";
  const real = window.fetch.bind(window);
  window.fetch = async (...args) => {
    const answer = await real(...args);
    if (answer.status === 401 && new URL(answer.url).origin === location.origin) location.assign("/signin");
    return answer;
  };
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
