{
  const get = id => document.getElementById(id);
  const form = get('form'), mark = get('mark'), said = get('said');
  const given = new URLSearchParams(location.hash.slice(1));
  history.replaceState(null, '', location.pathname);

  const build = () => {
    const key = new URLSearchParams({ login: form.login.value, pass: form.pass.value });
    const to = JSON.stringify(location.origin + '/bookmarklet#' + key + '&external_url=');
    const code = `void open(${to}+encodeURIComponent(location.href),'_blank','noopener')`;
    mark.href = 'javascript:' + encodeURIComponent(code);
  };

  const shorten = async () => {
    said.textContent = 'One moment';
    try {
      const answer = await fetch('/api/v1_0/makeLink', { method: 'POST', body: new URLSearchParams(new FormData(form)) });
      const text = await answer.text();
      said.textContent = text;
      if (answer.ok) {
        const link = document.createElement('a');
        link.href = link.textContent = text;
        said.replaceChildren(link);
        await navigator.clipboard?.writeText(text).catch(() => {});
      }
    } catch {
      said.textContent = 'The server did not answer. Try again.';
    }
  };

  for (const name of ['login', 'pass', 'external_url']) form[name].value = given.get(name) ?? '';
  form.addEventListener('input', build);
  form.addEventListener('submit', event => { event.preventDefault(); shorten(); });
  mark.addEventListener('click', event => event.preventDefault());
  build();
  if (form.checkValidity()) shorten();
}
